//! HL7 MLLP blocks, both roles, without IO.
