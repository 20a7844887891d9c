//! What a sender does differently from HL7 2.x, so that its messages can be read all the same: values, never code.

/// How one sender's messages are laid out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialect {
    /// What ends a segment.
    pub segment_ends: SegmentEnds,
    /// Where the fields of its header stand.
    pub header: HeaderPlaces,
}

/// What ends a segment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SegmentEnds {
    /// CR, LF, CRLF and NUL, in any mixture.
    #[default]
    Any,
    /// CR alone, and an LF directly behind it: line feeds and NUL inside a field are its text.
    CarriageReturn,
}

/// Fields of MSH that stand elsewhere than HL7 has them. Empty: a header as it should be, or one whose type is found by
/// its form (see [`crate::Header`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeaderPlaces {
    places: Vec<(usize, usize)>,
}

/// Fields of MSH that have a meaning here end before this one.
const FIELDS_MAX: usize = 25;

impl HeaderPlaces {
    /// Pairs of a field's number in HL7 and the number under which it is sent; `None` when one of them is not within
    /// 3 to 25, or one number is given twice on either side.
    #[must_use]
    pub fn new(mut places: Vec<(usize, usize)>) -> Option<Self> {
        places.sort_unstable();
        let within = |number: usize| (3..=FIELDS_MAX).contains(&number);
        let once = |side: fn(&(usize, usize)) -> usize| {
            let mut numbers: Vec<usize> = places.iter().map(side).collect();
            numbers.sort_unstable();
            numbers.windows(2).all(|pair| pair.first() != pair.last())
        };
        let right = places.iter().all(|(standard, sent)| within(*standard) && within(*sent));
        (right && once(|place| place.0) && once(|place| place.1)).then_some(Self { places })
    }

    /// Whether nothing stands elsewhere.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Under which number the field is sent; `None` if its place is taken by another one and it was given none.
    pub(crate) fn sent_as(&self, standard: usize) -> Option<usize> {
        let moved = self.places.iter().find(|place| place.0 == standard).map(|place| place.1);
        let taken = || self.places.iter().any(|place| place.1 == standard);
        moved.or_else(|| (!taken()).then_some(standard))
    }
}
