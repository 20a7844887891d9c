//! A message as its index sees it.

use crate::defect::Defect;
use crate::delimiters::Delimiters;
use crate::header::Header;
use crate::index::{Index, SegmentSpan};
use crate::part::{Field, Part};
use crate::path::Path;
use std::ops::Range;

/// A message that was read: a view of the text and its index, cheap to copy.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    text: &'a str,
    index: &'a Index,
}

impl<'a> Message<'a> {
    pub(crate) fn new(text: &'a str, index: &'a Index) -> Self {
        Self { text, index }
    }

    /// The whole text.
    #[must_use]
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The delimiters that the header names; the usual ones if there is no header.
    #[must_use]
    pub fn delimiters(&self) -> Delimiters {
        self.index.delimiters()
    }

    /// What could not be understood, in the order of reading; at most [`crate::Defects::KEPT_MAX`].
    #[must_use]
    pub fn defects(&self) -> &'a [Defect] {
        self.index.defects()
    }

    /// How many defects there are, kept or not.
    #[must_use]
    pub fn defects_total(&self) -> usize {
        self.index.defects_total()
    }

    /// The segments, in order, readable or not.
    #[must_use]
    pub fn segments(&self) -> Segments<'a> {
        Segments { message: *self, spans: self.index.segments().iter() }
    }

    /// The segment with this number, from 0.
    #[must_use]
    pub fn segment(&self, number: usize) -> Option<Segment<'a>> {
        self.index.segments().get(number).map(|span| self.view(*span))
    }

    /// The segments of this name, in order.
    pub fn named(&self, name: &'a str) -> impl Iterator<Item = Segment<'a>> + use<'a> {
        self.segments().filter(move |segment| segment.name() == name)
    }

    /// The first segment of this name.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<Segment<'a>> {
        self.segments().find(|segment| segment.name() == name)
    }

    /// What stands at a path, in the first segment of its name.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<Part<'a>> {
        self.first(path.segment())?.get(path)
    }

    /// The message header, if there is one.
    #[must_use]
    pub fn header(&self) -> Option<Header<'a>> {
        self.first("MSH").map(|segment| Header::new(segment, self.index.header_places()))
    }

    /// What stands before the first segment: line ends, a byte order mark. Usually nothing.
    #[must_use]
    pub fn leading(&self) -> Range<usize> {
        0..self.index.leading()
    }

    fn view(&self, span: SegmentSpan) -> Segment<'a> {
        Segment {
            text: self.text,
            separators: self.index.separators_of(span),
            span,
            delimiters: self.index.delimiters(),
        }
    }
}

/// The segments of a message, in order.
#[derive(Clone, Debug)]
pub struct Segments<'a> {
    message: Message<'a>,
    spans: std::slice::Iter<'a, SegmentSpan>,
}

impl<'a> Iterator for Segments<'a> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        self.spans.next().map(|span| self.message.view(*span))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.spans.size_hint()
    }
}

impl DoubleEndedIterator for Segments<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.spans.next_back().map(|span| self.message.view(*span))
    }
}

impl ExactSizeIterator for Segments<'_> {}

/// One segment. Fields are numbered as HL7 numbers them: `MSH-1` is the field separator itself.
#[derive(Clone, Copy, Debug)]
pub struct Segment<'a> {
    text: &'a str,
    separators: &'a [u32],
    span: SegmentSpan,
    delimiters: Delimiters,
}

impl<'a> Segment<'a> {
    /// The name, three characters; empty if the line has no readable one.
    #[must_use]
    pub fn name(&self) -> &'a str {
        let start = self.span.start as usize;
        if self.span.readable { self.text.get(start..start + 3).unwrap_or_default() } else { "" }
    }

    /// Whether the line begins with a segment name. If not, its text is here all the same.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.span.readable
    }

    /// The text without its terminator.
    #[must_use]
    pub fn raw(&self) -> &'a str {
        self.text.get(self.range()).unwrap_or_default()
    }

    /// Where it stands, without its terminator, in bytes of the text.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.span.start as usize..self.span.end as usize
    }

    /// Where its terminator stands, empty lines included; empty if the text ends with the segment.
    #[must_use]
    pub fn terminator(&self) -> Range<usize> {
        self.span.end as usize..self.span.next as usize
    }

    /// `MSH`, `FHS` and `BHS` hold the separator itself as field 1.
    fn is_header(&self) -> bool {
        matches!(self.name(), "MSH" | "FHS" | "BHS")
    }

    /// The highest field number that was sent.
    #[must_use]
    pub fn field_count(&self) -> usize {
        self.separators.len() + usize::from(self.is_header() && !self.separators.is_empty())
    }

    /// The field with this number, from 1, as HL7 numbers them; `None` if the segment ends before it.
    #[must_use]
    pub fn field(&self, number: usize) -> Option<Field<'a>> {
        self.field_as(number, self.is_header())
    }

    fn field_as(&self, number: usize, header: bool) -> Option<Field<'a>> {
        if header { self.header_field(number) } else { self.counted_field(number, self.delimiters) }
    }

    fn header_field(&self, number: usize) -> Option<Field<'a>> {
        match number {
            0 => None,
            1 => {
                let at = *self.separators.first()? as usize;
                Some(Field::new(Part::new(self.text.get(at..=at)?, at, self.delimiters.none())))
            }
            2 => self.counted_field(1, self.delimiters.none()),
            _ => self.counted_field(number - 1, self.delimiters),
        }
    }

    /// What stands after the separator with this number.
    fn counted_field(&self, number: usize, delimiters: Delimiters) -> Option<Field<'a>> {
        let start = *self.separators.get(number.checked_sub(1)?)? as usize + 1;
        let end = self.separators.get(number).map_or(self.span.end as usize, |end| *end as usize);
        self.text.get(start..end).map(|raw| Field::new(Part::new(raw, start, delimiters)))
    }

    /// The fields from number 1 on.
    pub fn fields(&self) -> impl Iterator<Item = Field<'a>> + use<'a> {
        let segment = *self;
        let header = segment.is_header();
        (1..=segment.field_count()).map_while(move |number| segment.field_as(number, header))
    }

    /// What stands at a path. `None` if the path is of another segment, or if nothing was sent at that place.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<Part<'a>> {
        let field = self.field_of(path)?;
        if path.repetition().is_none() && path.component().is_none() {
            return Some(field.part());
        }
        below(field.repetition(path.repetition().unwrap_or(1))?, path)
    }

    /// What stands at a path in every repetition of its field; a repetition that the path names is not looked at.
    pub fn get_each(&self, path: &Path) -> impl Iterator<Item = Option<Part<'a>>> + use<'a> {
        let path = *path;
        let field = self.field_of(&path);
        field.into_iter().flat_map(|field| field.repetitions()).map(move |one| below(one, &path))
    }

    fn field_of(&self, path: &Path) -> Option<Field<'a>> {
        path.is_in(self.name()).then(|| self.field(path.field()))?
    }
}

fn below<'a>(repetition: crate::part::Repetition<'a>, path: &Path) -> Option<Part<'a>> {
    let Some(component) = path.component() else { return Some(repetition.part()) };
    let component = repetition.component(component)?;
    match path.subcomponent() {
        Some(number) => component.subcomponent(number).map(|sub| sub.part()),
        None => Some(component.part()),
    }
}
