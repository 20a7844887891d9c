//! Bytes to text by the character sets analysers declare, and by those they really send.
