"""To come with its study."""
