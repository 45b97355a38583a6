//! Defects that a seed found, told by what went wrong.
