//! From text to formula. Places are bytes from the end while reading, columns in characters when told.

use super::{Condition, Expression, FORMULA_BYTES_MAX, FORMULA_DEPTH_MAX, FormulaFault, Relation, Summary};
use crate::ratio::Ratio;
use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take_while, take_while1};
use nom::character::complete::{char, digit1, multispace0};
use nom::combinator::{not, opt, peek, recognize, value};
use nom::sequence::{pair, preceded, terminated};
use nom::{IResult, Parser};

/// What stopped the reading: the text that was left, and what is wrong with it.
#[derive(Debug)]
struct Wrong<'a> {
    rest: &'a str,
    what: String,
    remedy: &'static str,
}

impl<'a> nom::error::ParseError<&'a str> for Wrong<'a> {
    fn from_error_kind(rest: &'a str, _: nom::error::ErrorKind) -> Self {
        Self { rest, what: "this cannot be read".into(), remedy: HOW }
    }
    fn append(_: &'a str, _: nom::error::ErrorKind, other: Self) -> Self {
        other
    }
}

const HOW: &str = "write a comparison such as NC <= 0.100, or a formula such as 2.1 * max(mean(NC), 0.050)";
const NUMBER: &str =
    "write a number such as 0.105, a control such as NC, or a function: mean, min, max, sd, cv, n";

type Read<'a, T> = IResult<&'a str, T, Wrong<'a>>;

fn refuse<'a, T>(rest: &'a str, what: impl Into<String>, remedy: &'static str) -> Read<'a, T> {
    Err(nom::Err::Failure(Wrong { rest, what: what.into(), remedy }))
}

fn sign<'a>(text: &'static str) -> impl Parser<&'a str, Output = &'a str, Error = Wrong<'a>> {
    preceded(multispace0, tag(text))
}

fn word<'a>(text: &'static str) -> impl Parser<&'a str, Output = &'a str, Error = Wrong<'a>> {
    let ends = not(peek(take_while1(|c: char| c.is_alphanumeric() || c == '_')));
    preceded(multispace0, terminated(tag_no_case(text), ends))
}

/// Reads a criterion.
pub(super) fn condition(text: &str) -> Result<Condition, FormulaFault> {
    whole(text, |input| any(input, 0))
}

/// Reads a formula that is one number.
pub(super) fn number(text: &str) -> Result<Expression, FormulaFault> {
    whole(text, |input| {
        let (rest, found) = sum(input, 0)?;
        match found.each() {
            Some(control) => refuse(
                input,
                format!("{control} speaks of each of its wells, where one number is needed"),
                "write mean(NC), min(NC) or max(NC)",
            ),
            None => Ok((rest, found)),
        }
    })
}

fn whole<T>(text: &str, read: impl Fn(&str) -> Read<'_, T>) -> Result<T, FormulaFault> {
    let fault = |rest: &str, what: String, remedy: &str| {
        let read = text.len().saturating_sub(rest.trim_start().len());
        let column = text.get(..read).map_or(1, |before| before.chars().count() + 1);
        FormulaFault { column, what, remedy: remedy.to_owned() }
    };
    if text.len() > FORMULA_BYTES_MAX {
        let what = format!("the formula is longer than {FORMULA_BYTES_MAX} bytes");
        return Err(fault(text, what, "split it into several criteria"));
    }
    match read(text) {
        Ok((rest, found)) if rest.trim().is_empty() => Ok(found),
        Ok((rest, _)) => {
            let next: String = rest.trim_start().chars().take(12).collect();
            Err(fault(rest, format!("{next:?} is not understood here"), HOW))
        }
        Err(nom::Err::Error(wrong) | nom::Err::Failure(wrong)) => {
            Err(fault(wrong.rest, wrong.what, wrong.remedy))
        }
        Err(nom::Err::Incomplete(_)) => Err(fault("", "the formula ends too early".into(), HOW)),
    }
}

fn deeper(input: &str, depth: usize) -> Result<usize, nom::Err<Wrong<'_>>> {
    if depth < FORMULA_DEPTH_MAX {
        return Ok(depth + 1);
    }
    let what = format!("nested deeper than {FORMULA_DEPTH_MAX}");
    Err(nom::Err::Failure(Wrong { rest: input, what, remedy: "take brackets away" }))
}

fn any(input: &str, depth: usize) -> Read<'_, Condition> {
    listed(input, depth, "OR", all, Condition::Any)
}

fn all(input: &str, depth: usize) -> Read<'_, Condition> {
    listed(input, depth, "AND", one, Condition::All)
}

fn listed<'a>(
    input: &'a str,
    depth: usize,
    between: &'static str,
    read: fn(&'a str, usize) -> Read<'a, Condition>,
    join: fn(Vec<Condition>) -> Condition,
) -> Read<'a, Condition> {
    let (mut rest, first) = read(input, depth)?;
    let mut list = vec![first];
    while let Ok((after, _)) = word(between).parse(rest) {
        let (next, found) = read(after, depth)?;
        list.push(found);
        rest = next;
    }
    match (list.pop(), list.is_empty()) {
        (Some(only), true) => Ok((rest, only)),
        (Some(end), false) => {
            list.push(end);
            Ok((rest, join(list)))
        }
        (None, _) => refuse(input, "nothing stands here", HOW),
    }
}

fn one(input: &str, depth: usize) -> Read<'_, Condition> {
    let depth = deeper(input, depth)?;
    if let Ok((rest, _)) = word("NOT").parse(input) {
        let (after, inner) = one(rest, depth)?;
        if inner.drops() {
            return refuse(rest, "drop_one cannot be denied", "write the comparison that has to hold");
        }
        return Ok((after, Condition::Not(Box::new(inner))));
    }
    if let Ok((rest, _)) = pair(word("drop_one"), sign("(")).parse(input) {
        let (rest, (a, relation, b)) = comparison(rest, depth)?;
        if a.each().or_else(|| b.each()).is_none() {
            return refuse(input, "drop_one needs a control's wells", "write drop_one(NC <= 0.100)");
        }
        let (rest, _) = close(rest)?;
        return Ok((rest, Condition::DropOne(a, relation, b)));
    }
    // A bracket may hold a condition or begin a sum.
    if let Ok((inside, _)) = sign("(").parse(input)
        && let Ok((rest, found)) = any(inside, depth)
        && let Ok((rest, _)) = sign(")").parse(rest)
        && relation(rest).is_err()
    {
        return Ok((rest, found));
    }
    let (rest, (a, relation, b)) = comparison(input, depth)?;
    Ok((rest, Condition::Compare(a, relation, b)))
}

fn close(input: &str) -> Read<'_, &str> {
    match sign(")").parse(input) {
        Ok(found) => Ok(found),
        Err(_) => refuse(input, "a closing bracket is missing", "write ) here"),
    }
}

fn relation(input: &str) -> Read<'_, Relation> {
    preceded(
        multispace0,
        alt((
            value(Relation::AtMost, alt((tag("<="), tag("≤")))),
            value(Relation::AtLeast, alt((tag(">="), tag("≥")))),
            value(Relation::Below, tag("<")),
            value(Relation::Above, tag(">")),
            value(Relation::Equal, tag("=")),
        )),
    )
    .parse(input)
}

fn comparison(input: &str, depth: usize) -> Read<'_, (Expression, Relation, Expression)> {
    let (rest, left) = sum(input, depth)?;
    let Ok((rest, between)) = relation(rest) else {
        return refuse(rest, "a comparison is missing", "write <, <=, >, >= or = and a limit");
    };
    let (rest, right) = sum(rest, depth)?;
    together(input, &left, &right)?;
    Ok((rest, (left, between, right)))
}

/// Two bare names do not go together.
fn together<'a>(input: &'a str, a: &Expression, b: &Expression) -> Result<(), nom::Err<Wrong<'a>>> {
    let (Some(one), Some(other)) = (a.each(), b.each()) else { return Ok(()) };
    let what = format!("each well of {one} cannot be held against each well of {other}");
    let remedy = "write mean(…), min(…) or max(…) on one side";
    Err(nom::Err::Failure(Wrong { rest: input, what, remedy }))
}

type Join = fn(Box<Expression>, Box<Expression>) -> Expression;

fn chain<'a>(
    input: &'a str,
    depth: usize,
    signs: [(&'static str, Join); 2],
    read: fn(&'a str, usize) -> Read<'a, Expression>,
) -> Read<'a, Expression> {
    let (mut rest, mut left) = read(input, depth)?;
    'more: loop {
        for (text, join) in signs {
            if let Ok((after, _)) = sign(text).parse(rest) {
                let (next, right) = read(after, depth)?;
                together(rest, &left, &right)?;
                (rest, left) = (next, join(Box::new(left), Box::new(right)));
                continue 'more;
            }
        }
        return Ok((rest, left));
    }
}

fn sum(input: &str, depth: usize) -> Read<'_, Expression> {
    chain(input, depth, [("+", Expression::Plus), ("-", Expression::Minus)], term)
}

fn term(input: &str, depth: usize) -> Read<'_, Expression> {
    chain(input, depth, [("*", Expression::Times), ("/", Expression::By)], factor)
}

fn factor(input: &str, depth: usize) -> Read<'_, Expression> {
    let depth = deeper(input, depth)?;
    if let Ok((rest, _)) = sign("-").parse(input) {
        let (rest, inner) = factor(rest, depth)?;
        let minus = Expression::Minus(Box::new(Expression::Number(Ratio::ZERO)), Box::new(inner));
        return Ok((rest, minus));
    }
    if let Ok((inside, _)) = sign("(").parse(input) {
        let (rest, found) = sum(inside, depth)?;
        let (rest, _) = close(rest)?;
        return Ok((rest, found));
    }
    let plain: Read<'_, &str> =
        preceded(multispace0, recognize((digit1, opt((char('.'), digit1))))).parse(input);
    if let Ok((rest, digits)) = plain {
        let read = digits.parse().ok().and_then(|number| Ratio::of(number).ok());
        return match read {
            Some(number) => Ok((rest, Expression::Number(number))),
            None => refuse(input, format!("{digits} has too many digits"), "write fewer digits"),
        };
    }
    named(input, depth)
}

fn name(input: &str) -> Read<'_, &str> {
    let first = take_while1(|c: char| c.is_alphabetic());
    let more = take_while(|c: char| c.is_alphanumeric() || c == '_');
    preceded(multispace0, recognize(pair(first, more))).parse(input)
}

fn named(input: &str, depth: usize) -> Read<'_, Expression> {
    let Ok((rest, found)) = name(input) else {
        return refuse(input, "a number or a control is missing", NUMBER);
    };
    if let Ok((inside, _)) = sign("(").parse(rest) {
        return function(input, found, inside, depth);
    }
    if ["AND", "OR", "NOT"].iter().any(|word| word.eq_ignore_ascii_case(found)) {
        return refuse(input, format!("{found} stands where a number or a control is due"), NUMBER);
    }
    // The readers' own way to write a mean.
    if let Ok((rest, _)) = pair(sign(";"), word("x")).parse(rest) {
        return Ok((rest, Expression::Of(Summary::Mean, found.to_owned())));
    }
    if let Ok((rest, _)) = sign("[").parse(rest) {
        let digits: Read<'_, &str> = preceded(multispace0, digit1).parse(rest);
        let Ok((rest, digits)) = digits else {
            return refuse(rest, "the number of a well is missing", "write NC[1]");
        };
        let Ok((rest, _)) = sign("]").parse(rest) else {
            return refuse(rest, "a closing bracket is missing", "write ] here");
        };
        return match digits.parse::<usize>() {
            Ok(number) if number > 0 => Ok((rest, Expression::One(found.to_owned(), number))),
            Ok(_) | Err(_) => refuse(input, "wells are counted from 1", "write NC[1]"),
        };
    }
    Ok((rest, Expression::Each(found.to_owned())))
}

fn function<'a>(input: &'a str, called: &str, inside: &'a str, depth: usize) -> Read<'a, Expression> {
    let (mut rest, first) = sum(inside, depth)?;
    let mut list = vec![first];
    while let Ok((after, _)) = sign(",").parse(rest) {
        let (next, found) = sum(after, depth)?;
        list.push(found);
        rest = next;
    }
    let (rest, _) = close(rest)?;
    let summary = match called.to_ascii_lowercase().as_str() {
        "mean" => Summary::Mean,
        "min" => Summary::Min,
        "max" => Summary::Max,
        "sd" => Summary::Sd,
        "cv" => Summary::Cv,
        "n" | "count" | "n_valid" => Summary::Count,
        _ => return refuse(input, format!("there is no function {called:?}"), NUMBER),
    };
    if let [Expression::Each(control)] = list.as_slice() {
        return Ok((rest, Expression::Of(summary, control.clone())));
    }
    let several = list.len() > 1 && list.iter().all(|item| item.each().is_none());
    match summary {
        Summary::Max if several => Ok((rest, Expression::Largest(list))),
        Summary::Min if several => Ok((rest, Expression::Smallest(list))),
        Summary::Mean | Summary::Min | Summary::Max | Summary::Sd | Summary::Cv | Summary::Count => refuse(
            inside,
            format!("{called} takes the wells of one control, and max and min also several single numbers"),
            "write mean(NC), or max(mean(NC), 0.050)",
        ),
    }
}
