//! Rule packs and the verdict.
