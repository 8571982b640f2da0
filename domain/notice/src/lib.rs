//! The notice reader: extracted text in, typed proposals out; pure.
