//! The sets we can read and write, and the names they go by.

use encoding_rs::Encoding;
use std::fmt;
use std::str::FromStr;

/// A character set that this crate reads and writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CharacterSet {
    /// ISO 646 / ISO IR6: bytes below 80 only.
    Ascii,
    /// UTF-8, without overlong forms or surrogates.
    Utf8,
    /// UTF-16, least significant byte first.
    Utf16Le,
    /// UTF-16, most significant byte first (the default of table 0211).
    Utf16Be,
    /// UTF-32, least significant byte first.
    Utf32Le,
    /// UTF-32, most significant byte first.
    Utf32Be,
    /// GB 18030, which contains GBK and GB 2312.
    Gb18030,
    /// GBK (code page 936), which contains GB 2312.
    Gbk,
    /// Big5 with the Hong Kong additions.
    Big5,
    /// KS X 1001 as code page 949.
    EucKr,
    /// JIS X 0208 by escape sequences (ISO IR87 over ISO 2022).
    Iso2022Jp,
    /// JIS X 0208 as EUC.
    EucJp,
    /// JIS X 0208 as code page 932.
    ShiftJis,
    /// ISO 8859-1, the real one: 80–9F are control characters, not the letters of windows-1252.
    Latin1,
    /// ISO 8859-2, Central European.
    Iso8859Part2,
    /// ISO 8859-3, South European.
    Iso8859Part3,
    /// ISO 8859-4, North European.
    Iso8859Part4,
    /// ISO 8859-5, Cyrillic.
    Iso8859Part5,
    /// ISO 8859-6, Arabic.
    Iso8859Part6,
    /// ISO 8859-7, Greek.
    Iso8859Part7,
    /// ISO 8859-8, Hebrew.
    Iso8859Part8,
    /// ISO 8859-9, Turkish, the real one: 80–9F are control characters.
    Iso8859Part9,
    /// ISO 8859-15, Latin-1 with the euro sign.
    Iso8859Part15,
    /// Windows code page 1250, Central European.
    Windows1250,
    /// Windows code page 1251, Cyrillic.
    Windows1251,
    /// Windows code page 1252, Western European.
    Windows1252,
    /// Windows code page 1254, Turkish.
    Windows1254,
    /// KOI8-R, Cyrillic.
    Koi8R,
}

/// A name that is in no list of ours, or that names a set we cannot read (JIS X 0212, CNS 11643).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the character set `{name}` is not known here; known are {}", CharacterSet::names_for_people())]
pub struct UnknownCharacterSet {
    /// The name as it was given.
    pub name: String,
}

/// Names in their folded form (see [`fold`]); the first of each set is not special.
const NAMES: &[(&str, CharacterSet)] = &[
    ("ASCII", CharacterSet::Ascii),
    ("USASCII", CharacterSet::Ascii),
    ("ISOIR6", CharacterSet::Ascii),
    ("IR6", CharacterSet::Ascii),
    ("ISO646", CharacterSet::Ascii),
    ("UTF8", CharacterSet::Utf8),
    ("UNICODEUTF8", CharacterSet::Utf8),
    // Deprecated in table 0211 and meant as UCS-2 there; the senders that were seen mean UTF-8.
    ("UNICODE", CharacterSet::Utf8),
    ("UTF16", CharacterSet::Utf16Be),
    ("UTF16BE", CharacterSet::Utf16Be),
    ("UNICODEUTF16", CharacterSet::Utf16Be),
    ("UTF16LE", CharacterSet::Utf16Le),
    ("UTF32", CharacterSet::Utf32Be),
    ("UTF32BE", CharacterSet::Utf32Be),
    ("UNICODEUTF32", CharacterSet::Utf32Be),
    ("UTF32LE", CharacterSet::Utf32Le),
    ("GB18030", CharacterSet::Gb18030),
    ("GB180302000", CharacterSet::Gb18030),
    ("GB180302005", CharacterSet::Gb18030),
    ("GB180302022", CharacterSet::Gb18030),
    ("GBK", CharacterSet::Gbk),
    ("CP936", CharacterSet::Gbk),
    ("936", CharacterSet::Gbk),
    ("WINDOWS936", CharacterSet::Gbk),
    ("GB2312", CharacterSet::Gbk),
    ("GB231280", CharacterSet::Gbk),
    ("EUCCN", CharacterSet::Gbk),
    ("BIG5", CharacterSet::Big5),
    ("CP950", CharacterSet::Big5),
    ("KSX1001", CharacterSet::EucKr),
    ("EUCKR", CharacterSet::EucKr),
    ("CP949", CharacterSet::EucKr),
    ("ISOIR87", CharacterSet::Iso2022Jp),
    ("IR87", CharacterSet::Iso2022Jp),
    ("ISO2022JP", CharacterSet::Iso2022Jp),
    ("EUCJP", CharacterSet::EucJp),
    ("SHIFTJIS", CharacterSet::ShiftJis),
    ("CP932", CharacterSet::ShiftJis),
    ("88591", CharacterSet::Latin1),
    ("ISO88591", CharacterSet::Latin1),
    ("ISOIR100", CharacterSet::Latin1),
    ("LATIN1", CharacterSet::Latin1),
    ("88592", CharacterSet::Iso8859Part2),
    ("ISO88592", CharacterSet::Iso8859Part2),
    ("LATIN2", CharacterSet::Iso8859Part2),
    ("88593", CharacterSet::Iso8859Part3),
    ("ISO88593", CharacterSet::Iso8859Part3),
    ("88594", CharacterSet::Iso8859Part4),
    ("ISO88594", CharacterSet::Iso8859Part4),
    ("88595", CharacterSet::Iso8859Part5),
    ("ISO88595", CharacterSet::Iso8859Part5),
    ("88596", CharacterSet::Iso8859Part6),
    ("ISO88596", CharacterSet::Iso8859Part6),
    ("88597", CharacterSet::Iso8859Part7),
    ("ISO88597", CharacterSet::Iso8859Part7),
    ("88598", CharacterSet::Iso8859Part8),
    ("ISO88598", CharacterSet::Iso8859Part8),
    ("88599", CharacterSet::Iso8859Part9),
    ("ISO88599", CharacterSet::Iso8859Part9),
    ("LATIN5", CharacterSet::Iso8859Part9),
    ("885915", CharacterSet::Iso8859Part15),
    ("ISO885915", CharacterSet::Iso8859Part15),
    ("LATIN9", CharacterSet::Iso8859Part15),
    ("WINDOWS1250", CharacterSet::Windows1250),
    ("CP1250", CharacterSet::Windows1250),
    ("WINDOWS1251", CharacterSet::Windows1251),
    ("CP1251", CharacterSet::Windows1251),
    ("1251", CharacterSet::Windows1251),
    ("WINDOWS1252", CharacterSet::Windows1252),
    ("CP1252", CharacterSet::Windows1252),
    ("WINDOWS1254", CharacterSet::Windows1254),
    ("CP1254", CharacterSet::Windows1254),
    ("KOI8R", CharacterSet::Koi8R),
];

/// How the bytes of a set are turned into text.
#[derive(Clone, Copy)]
pub(crate) enum Codec {
    Ascii,
    Utf8,
    Utf16(Endian),
    Utf32(Endian),
    /// A byte is a code point, except those in the list.
    Latin(&'static [(u8, char)]),
    Table(&'static Encoding),
}

/// Which byte of a code unit comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endian {
    Little,
    Big,
}

/// Where ISO 8859-9 differs from ISO 8859-1.
const LATIN_5: &[(u8, char)] =
    &[(0xD0, 'Ğ'), (0xDD, 'İ'), (0xDE, 'Ş'), (0xF0, 'ğ'), (0xFD, 'ı'), (0xFE, 'ş')];

impl CharacterSet {
    /// Every set, for lists and tests.
    pub const ALL: &'static [CharacterSet] = &[
        Self::Ascii,
        Self::Utf8,
        Self::Utf16Le,
        Self::Utf16Be,
        Self::Utf32Le,
        Self::Utf32Be,
        Self::Gb18030,
        Self::Gbk,
        Self::Big5,
        Self::EucKr,
        Self::Iso2022Jp,
        Self::EucJp,
        Self::ShiftJis,
        Self::Latin1,
        Self::Iso8859Part2,
        Self::Iso8859Part3,
        Self::Iso8859Part4,
        Self::Iso8859Part5,
        Self::Iso8859Part6,
        Self::Iso8859Part7,
        Self::Iso8859Part8,
        Self::Iso8859Part9,
        Self::Iso8859Part15,
        Self::Windows1250,
        Self::Windows1251,
        Self::Windows1252,
        Self::Windows1254,
        Self::Koi8R,
    ];

    /// The set a profile or a setting names. Case, blanks and the signs `-_/.` do not matter.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        NAMES.iter().find(|(known, _)| fold(name).eq(known.bytes())).map(|(_, set)| *set)
    }

    /// The set that one repetition of MSH-18 declares: table 0211 and the other names seen in the field.
    ///
    /// `UNICODE` is read as UTF-8, which is what its senders mean; `GB2312` as GBK, which contains it.
    #[must_use]
    pub fn from_msh18(name: &str) -> Option<Self> {
        Self::from_name(name)
    }

    /// The name for settings and reports; [`CharacterSet::from_name`] reads it back.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ascii => "ascii",
            Self::Utf8 => "utf-8",
            Self::Utf16Le => "utf-16le",
            Self::Utf16Be => "utf-16be",
            Self::Utf32Le => "utf-32le",
            Self::Utf32Be => "utf-32be",
            Self::Gb18030 => "gb18030",
            Self::Gbk => "gbk",
            Self::Big5 => "big5",
            Self::EucKr => "euc-kr",
            Self::Iso2022Jp => "iso-2022-jp",
            Self::EucJp => "euc-jp",
            Self::ShiftJis => "shift-jis",
            Self::Latin1 => "iso-8859-1",
            Self::Iso8859Part2 => "iso-8859-2",
            Self::Iso8859Part3 => "iso-8859-3",
            Self::Iso8859Part4 => "iso-8859-4",
            Self::Iso8859Part5 => "iso-8859-5",
            Self::Iso8859Part6 => "iso-8859-6",
            Self::Iso8859Part7 => "iso-8859-7",
            Self::Iso8859Part8 => "iso-8859-8",
            Self::Iso8859Part9 => "iso-8859-9",
            Self::Iso8859Part15 => "iso-8859-15",
            Self::Windows1250 => "windows-1250",
            Self::Windows1251 => "windows-1251",
            Self::Windows1252 => "windows-1252",
            Self::Windows1254 => "windows-1254",
            Self::Koi8R => "koi8-r",
        }
    }

    /// Whether every ASCII byte stands for itself, so that ASCII input needs no work.
    pub(crate) fn extends_ascii(self) -> bool {
        !matches!(self, Self::Utf16Le | Self::Utf16Be | Self::Utf32Le | Self::Utf32Be | Self::Iso2022Jp)
    }

    /// Whether bytes 80–9F are control characters that no laboratory text contains (ISO 8859).
    pub(crate) fn has_c1_controls(self) -> bool {
        matches!(
            self,
            Self::Latin1
                | Self::Iso8859Part2
                | Self::Iso8859Part3
                | Self::Iso8859Part4
                | Self::Iso8859Part5
                | Self::Iso8859Part6
                | Self::Iso8859Part7
                | Self::Iso8859Part8
                | Self::Iso8859Part9
                | Self::Iso8859Part15
        )
    }

    pub(crate) fn codec(self) -> Codec {
        match self {
            Self::Ascii => Codec::Ascii,
            Self::Utf8 => Codec::Utf8,
            Self::Utf16Le => Codec::Utf16(Endian::Little),
            Self::Utf16Be => Codec::Utf16(Endian::Big),
            Self::Utf32Le => Codec::Utf32(Endian::Little),
            Self::Utf32Be => Codec::Utf32(Endian::Big),
            Self::Latin1 => Codec::Latin(&[]),
            Self::Iso8859Part9 => Codec::Latin(LATIN_5),
            Self::Gb18030 => Codec::Table(encoding_rs::GB18030),
            Self::Gbk => Codec::Table(encoding_rs::GBK),
            Self::Big5 => Codec::Table(encoding_rs::BIG5),
            Self::EucKr => Codec::Table(encoding_rs::EUC_KR),
            Self::Iso2022Jp => Codec::Table(encoding_rs::ISO_2022_JP),
            Self::EucJp => Codec::Table(encoding_rs::EUC_JP),
            Self::ShiftJis => Codec::Table(encoding_rs::SHIFT_JIS),
            Self::Iso8859Part2 => Codec::Table(encoding_rs::ISO_8859_2),
            Self::Iso8859Part3 => Codec::Table(encoding_rs::ISO_8859_3),
            Self::Iso8859Part4 => Codec::Table(encoding_rs::ISO_8859_4),
            Self::Iso8859Part5 => Codec::Table(encoding_rs::ISO_8859_5),
            Self::Iso8859Part6 => Codec::Table(encoding_rs::ISO_8859_6),
            Self::Iso8859Part7 => Codec::Table(encoding_rs::ISO_8859_7),
            Self::Iso8859Part8 => Codec::Table(encoding_rs::ISO_8859_8),
            Self::Iso8859Part15 => Codec::Table(encoding_rs::ISO_8859_15),
            Self::Windows1250 => Codec::Table(encoding_rs::WINDOWS_1250),
            Self::Windows1251 => Codec::Table(encoding_rs::WINDOWS_1251),
            Self::Windows1252 => Codec::Table(encoding_rs::WINDOWS_1252),
            Self::Windows1254 => Codec::Table(encoding_rs::WINDOWS_1254),
            Self::Koi8R => Codec::Table(encoding_rs::KOI8_R),
        }
    }

    fn names_for_people() -> String {
        Self::ALL.iter().map(|set| set.name()).collect::<Vec<_>>().join(", ")
    }
}

impl fmt::Display for CharacterSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for CharacterSet {
    type Err = UnknownCharacterSet;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::from_name(name).ok_or_else(|| UnknownCharacterSet { name: name.to_owned() })
    }
}

/// Upper case without the signs that senders put in or leave out: `ISO_8859-1`, `iso 8859/1`.
fn fold(name: &str) -> impl Iterator<Item = u8> + '_ {
    let ignored = |byte: &u8| byte.is_ascii_whitespace() || b"-_/.".contains(byte);
    name.bytes().filter(move |byte| !ignored(byte)).map(|byte| byte.to_ascii_uppercase())
}
