//! What was said, put together from all the ways in which it may have been told.
