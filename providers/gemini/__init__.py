"""Google Gemini's driver."""
