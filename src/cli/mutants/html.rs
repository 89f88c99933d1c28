//! The little HTML and SVG that a page needs.
