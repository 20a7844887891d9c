//! What may explain ABO columns that do not agree (rules.md §5.1): candidates with the next test, never a forced group.

use vocabulary::{Grade, Strength};

/// One possible explanation.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pattern: [Seen; 6],
    pub(super) en: &'static str,
    pub(super) zh: &'static str,
}

/// The columns of a pattern: anti-A, anti-B, A1 cells, B cells, O cells, auto control.
pub(super) struct Columns {
    pub(super) anti_a: Grade,
    pub(super) anti_b: Grade,
    pub(super) a1_cells: Grade,
    pub(super) b_cells: Grade,
    pub(super) o_cells: Option<Grade>,
    pub(super) auto: Option<Grade>,
}

/// What a pattern asks of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// 0
    Zero,
    /// 2+ and more, or haemolysis; a bare `+` may be.
    Plus,
    /// w or 1+; a bare `+` may be.
    Weak,
    /// Any reaction, weak or strong.
    Reacts,
    /// 0 or weak.
    Faint,
    /// Weak or mixed field.
    WeakOrMixed,
    /// Mixed field or two populations.
    Mixed,
    /// Anything.
    Any,
}

use Seen::{Any, Faint, Mixed, Plus, Reacts, Weak, WeakOrMixed, Zero};

impl Seen {
    fn matches(self, grade: Grade) -> bool {
        let mixed = grade.mixed_field || grade.double_population;
        let zero = grade.is_zero();
        let plus = !mixed && (grade.haemolysis || grade.strength.is_some_and(|s| s >= Strength::Two));
        let untold = !mixed && grade.bare_plus;
        let weak = !mixed && !zero && (!plus || untold);
        let plus = plus || untold;
        match self {
            Self::Zero => zero,
            Self::Plus => plus,
            Self::Weak => weak,
            Self::Reacts => plus || weak,
            Self::Faint => zero || weak,
            Self::WeakOrMixed => weak || mixed,
            Self::Mixed => mixed,
            Self::Any => true,
        }
    }
}

/// The explanations whose pattern fits. Columns that were not run fit every pattern.
pub(super) fn candidates(seen: &Columns) -> Vec<&'static Candidate> {
    let columns = [
        Some(seen.anti_a),
        Some(seen.anti_b),
        Some(seen.a1_cells),
        Some(seen.b_cells),
        seen.o_cells,
        seen.auto,
    ];
    let fits = |candidate: &&Candidate| {
        candidate
            .pattern
            .iter()
            .zip(columns)
            .all(|(want, grade)| grade.is_none_or(|grade| want.matches(grade)))
    };
    CANDIDATES.iter().filter(fits).collect()
}

macro_rules! candidates {
    ($([$($seen:ident)*] $en:literal $zh:literal;)*) => {
        /// The table, in its order.
        const CANDIDATES: &[Candidate] = &[$(Candidate { pattern: [$($seen),*], en: $en, zh: $zh },)*];
    };
}

candidates! {
    [Plus Zero Reacts Plus Zero Zero]
        "A with anti-A1 (A2): test anti-A1 lectin and A2 cells"
        "A 型伴抗-A1（A2 亚型）：做抗-A1 植物凝集素和 A2 细胞";
    [Plus Plus Reacts Zero Zero Zero]
        "AB with anti-A1 (A2B): test anti-A1 lectin and A2 cells"
        "AB 型伴抗-A1（A2B 亚型）：做抗-A1 植物凝集素和 A2 细胞";
    [Plus Zero Reacts Plus Reacts Zero]
        "A with a cold or IgM alloantibody (M, P1, Lea …): antibody screen at room temperature"
        "A 型伴冷或 IgM 同种抗体（M、P1、Lea 等）：室温抗体筛查";
    [Zero Plus Plus Reacts Reacts Zero]
        "B with a cold or IgM alloantibody: antibody screen at room temperature"
        "B 型伴冷或 IgM 同种抗体：室温抗体筛查";
    [Plus Zero Reacts Plus Reacts Reacts]
        "A with a cold autoantibody: warm or adsorb, repeat"
        "A 型伴冷自身抗体：保温或吸收后重做";
    [Zero Plus Plus Reacts Reacts Reacts]
        "B with a cold autoantibody: warm or adsorb, repeat"
        "B 型伴冷自身抗体：保温或吸收后重做";
    [WeakOrMixed Zero Faint Plus Zero Zero]
        "weak A (A3 with mixed field, Ax …): anti-A,B, anti-H, saliva, adsorption and elution, genotype"
        "弱 A（A3 混合视野、Ax 等）：抗-A,B、抗-H、唾液、吸收放散、基因分型";
    [Zero WeakOrMixed Plus Faint Zero Zero]
        "weak B (B3 with mixed field, Bx …): anti-A,B, anti-H, saliva, adsorption and elution, genotype"
        "弱 B（B3 混合视野、Bx 等）：抗-A,B、抗-H、唾液、吸收放散、基因分型";
    [Plus Weak Zero Plus Zero Zero]
        "acquired B, cis-AB, or weak AB with anti-B: acidified or other anti-B clone, history, genotype"
        "获得性 B、cis-AB 或弱 AB 伴抗-B：酸化或换抗-B 克隆、病史、基因分型";
    [Plus Reacts Zero Weak Zero Zero]
        "cis-AB, or AB with weak B and weak anti-B: family study, genotype"
        "cis-AB，或弱 B 的 AB 型伴弱抗-B：家系调查、基因分型";
    [Weak Plus Plus Zero Zero Zero]
        "B(A): another anti-A clone, genotype"
        "B(A)：换抗-A 克隆、基因分型";
    [Zero Zero Zero Plus Zero Zero]
        "weak A (Ax, Am, Ael), or missing anti-A: longer and colder incubation, anti-H, adsorption and elution"
        "弱 A（Ax、Am、Ael）或抗-A 缺失：延长并低温孵育、抗-H、吸收放散";
    [Zero Zero Plus Zero Zero Zero]
        "weak B (Bm, Bel), or missing anti-B: longer and colder incubation, anti-H, adsorption and elution"
        "弱 B（Bm、Bel）或抗-B 缺失：延长并低温孵育、抗-H、吸收放散";
    [Zero Zero Plus Plus Plus Zero]
        "Bombay or para-Bombay (test anti-H), or an alloantibody to a high-prevalence antigen"
        "孟买型或类孟买型（做抗-H），或针对高频抗原的同种抗体";
    [Plus Plus Plus Plus Plus Plus]
        "panagglutination: autoantibody, rouleaux (saline replacement), IgG-coated cells with potentiator"
        "全凝集：自身抗体、缗钱状（盐水替代）、IgG 致敏细胞加增强剂";
    [Zero Zero Zero Zero Zero Zero]
        "missing serum antibodies (newborn, hypogammaglobulinaemia) or a diluted sample"
        "血清抗体缺失（新生儿、低丙种球蛋白血症）或标本稀释";
    [Mixed Any Any Any Any Any]
        "two populations: transfusion, transplant, chimerism, A3, feto-maternal bleed; take the history"
        "两群细胞：输血、移植、嵌合体、A3、胎母出血；询问病史";
    [Any Mixed Any Any Any Any]
        "two populations: transfusion, transplant, chimerism, B3, feto-maternal bleed; take the history"
        "两群细胞：输血、移植、嵌合体、B3、胎母出血；询问病史";
    [Plus Zero Zero Faint Zero Zero]
        "A with weak or missing anti-B (age, immune defect), or an AB subgroup"
        "A 型抗-B 减弱或缺失（年龄、免疫缺陷），或 AB 亚型";
    [Zero Plus Faint Zero Zero Zero]
        "B with weak or missing anti-A (age, immune defect), or an AB subgroup"
        "B 型抗-A 减弱或缺失（年龄、免疫缺陷），或 AB 亚型";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(grades: [&str; 6]) -> Vec<&'static str> {
        let grade = |text: &str| text.parse::<Grade>().unwrap();
        let optional = |text: &str| (text != "-").then(|| grade(text));
        let [a, b, a1, bc, o, auto] = grades;
        let seen = Columns {
            anti_a: grade(a),
            anti_b: grade(b),
            a1_cells: grade(a1),
            b_cells: grade(bc),
            o_cells: optional(o),
            auto: optional(auto),
        };
        candidates(&seen).iter().map(|c| c.en).collect()
    }

    #[test]
    fn every_pattern_of_the_table_names_its_explanation() {
        for (grades, starts) in [
            (
                ["4+", "0", "2+", "4+", "-", "-"],
                vec!["A with anti-A1", "A with a cold or IgM", "A with a cold auto"],
            ),
            (["4+", "0", "2+", "4+", "0", "0"], vec!["A with anti-A1"]),
            (["4+", "0", "1+", "4+", "1+", "0"], vec!["A with a cold or IgM"]),
            (["4+", "0", "2+", "4+", "2+", "2+"], vec!["A with a cold auto"]),
            (["w", "0", "0", "4+", "0", "0"], vec!["weak A"]),
            (["2+ mf", "0", "0", "4+", "0", "0"], vec!["weak A", "two populations"]),
            (["0", "1+", "4+", "0", "0", "0"], vec!["weak B"]),
            (["4+", "1+", "0", "4+", "0", "0"], vec!["acquired B"]),
            (["4+", "3+", "0", "1+", "0", "0"], vec!["cis-AB"]),
            (["w", "4+", "4+", "0", "0", "0"], vec!["B(A)"]),
            (["0", "0", "0", "4+", "0", "0"], vec!["weak A (Ax"]),
            (["0", "0", "3+", "0", "0", "0"], vec!["weak B (Bm"]),
            (["0", "0", "4+", "4+", "4+", "0"], vec!["Bombay"]),
            (["4+", "4+", "4+", "4+", "4+", "4+"], vec!["panagglutination"]),
            (["0", "0", "0", "0", "0", "0"], vec!["missing serum antibodies"]),
            (["4+", "0", "0", "0", "0", "0"], vec!["A with weak or missing"]),
        ] {
            let found = names(grades);
            assert_eq!(found.len(), starts.len(), "{grades:?}: {found:?}");
            assert!(
                found.iter().zip(&starts).all(|(name, start)| name.starts_with(start)),
                "{grades:?}: {found:?}"
            );
        }
    }
}
