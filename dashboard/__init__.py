"""The pages that people look at. They read only what is published, and hold no file open."""
