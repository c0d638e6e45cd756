"""The functions behind tools/*.toml, and the box that joins the two."""
