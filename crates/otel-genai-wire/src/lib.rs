//! Provider protocols of generative AI, read incrementally from bytes.
