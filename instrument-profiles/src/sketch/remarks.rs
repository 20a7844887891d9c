//! What a new profile says to the person who completes it, in English and in Chinese.

/// Language of the remarks in a new profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remarks {
    /// English.
    En,
    /// Chinese.
    Zh,
}

impl Remarks {
    pub(super) fn pick<'t>(self, en: &'t str, zh: &'t str) -> &'t str {
        match self {
            Self::En => en,
            Self::Zh => zh,
        }
    }

    pub(super) fn start(self) -> &'static str {
        self.pick(
            "Made from what the analyser sent. It loads, and holds every result until the places marked \"open\" are said\n\
             by a person who knows. `hemogate profile test FOLDER` lists them with their lines.",
            "由仪器发送的内容生成。可以加载，但在有人填写所有标记为 \"open\" 的位置之前，全部结果都会被暂停。\n\
             `hemogate profile test 目录` 会逐行列出待填写处。",
        )
    }

    pub(super) fn names(self) -> &'static str {
        self.pick("names as people read them", "供人阅读的名称")
    }

    pub(super) fn guessed(self) -> &'static str {
        self.pick(
            "found in what was sent; check it against the maker's manual",
            "由报文推断，请对照厂家手册核对",
        )
    }

    pub(super) fn uncounted(self) -> &'static str {
        self.pick(
            "nobody has said yet how a lost row would be missed: [plate] with complete = true, or why that is bearable",
            "尚未说明如何发现缺失的行：请用 [plate] complete = true，或说明为何可以接受",
        )
    }

    pub(super) fn specimen(self) -> &'static str {
        self.pick("places that were not empty, and what stood there", "非空位置及其内容")
    }

    pub(super) fn form(self) -> &'static str {
        self.pick(
            "a regular expression for the whole id, as [A-Z][0-9]{12}; this one takes any text",
            "整个标本号须符合的正则表达式，如 [A-Z][0-9]{12}；此处接受任何文本",
        )
    }

    pub(super) fn sequence(self) -> &'static str {
        self.pick(
            "lenient: where the model numbers its records in a way of its own",
            "若该型号的记录编号自成一套，写 lenient",
        )
    }

    pub(super) fn controls(self) -> &'static str {
        self.pick(
            "How is a control told from a donor? Write [[kind]] and [[control]] rules, then recognition = \"rules\";\n\
             or recognition = \"none\" with affirmed = \"who says so, and why\". Texts that may mark them, and how often:",
            "如何区分质控与献血者标本？写出 [[kind]] 和 [[control]] 规则后改为 recognition = \"rules\"；\n\
             或写 recognition = \"none\" 并用 affirmed 说明由谁、为何确认。可能的标记及出现次数：",
        )
    }

    pub(super) fn run(self) -> &'static str {
        self.pick(
            "Which controls stand for which results? A run's id is made of places and the words assay, lot, day, instrument.",
            "哪些质控对应哪些结果？批次编号由报文位置及 assay、lot、day、instrument 组成。",
        )
    }

    pub(super) fn status(self) -> &'static str {
        self.pick(
            "final, corrected, repeated, preliminary, other or not_obtained in place of open",
            "将 open 改为 final、corrected、repeated、preliminary、other 或 not_obtained",
        )
    }

    pub(super) fn flags(self) -> &'static str {
        self.pick(
            "does = keep, hold, typed, invalid, run_failed or agree (with = \"reactive\") in place of open, and what it says",
            "does 改为 keep、hold、typed、invalid、run_failed 或 agree（with = \"reactive\"），并在 what 中说明含义",
        )
    }

    pub(super) fn aspects(self) -> &'static str {
        self.pick(
            "Rows of one test differ at this place: together they are one result. Set rows aside that are no result\n\
             (aside = \"why\"); two rows may not give the same part.",
            "同一项目的多行在此处不同，合成一个结果。不属于结果的行写 aside = \"原因\"；同一部分不可由两行给出。",
        )
    }

    pub(super) fn values(self) -> &'static str {
        self.pick(
            "Every text that was seen. In place of open: reactive, non_reactive, grey_zone, indeterminate, invalid, run_failed,\n\
             valid, positive, negative, a, b, ab, o. Add the texts of the manual that were not seen. Grades go to [grades].",
            "所见全部文字。将 open 改为 reactive、non_reactive、grey_zone、indeterminate、invalid、run_failed、\n\
             valid、positive、negative、a、b、ab、o。请补充手册中未见到的文字。凝集强度写到 [grades]。",
        )
    }

    pub(super) fn open_test(self) -> &'static str {
        self.pick(
            "say what it measures: `marker` and `assay` in place of this line, or `aside` with a reason",
            "用 `marker` 和 `assay` 替换本行说明检测项目，或用 `aside` 写明不采用的原因",
        )
    }

    pub(super) fn open_flag(self) -> &'static str {
        self.pick("not explained yet", "尚未说明")
    }

    pub(super) fn guards(self) -> &'static str {
        self.pick(
            "How many conditions, checks and the like there are above: one that is lost would only let more be read, and is\n\
             noticed by its number. Whenever it is another, the error says which.",
            "以上条件、检查等的数目：少了一个只会放宽判读，靠此数才能发现。数目不符时，报错会给出正确的数目。",
        )
    }

    pub(super) fn not_verified(self) -> &'static str {
        self.pick(
            "everything: this profile was begun from a capture, and nobody has held it against the maker's manual",
            "全部内容：本配置由截获报文生成，尚未与厂家手册核对",
        )
    }

    pub(super) fn seen(self, times: usize) -> String {
        match self {
            Self::En => format!("seen {times} times"),
            Self::Zh => format!("出现 {times} 次"),
        }
    }
}
