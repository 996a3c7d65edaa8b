"""The simulated Gemini."""
