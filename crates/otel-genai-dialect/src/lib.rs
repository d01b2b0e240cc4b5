//! What others' words for generative AI mean.
