"""What a service may cost in a day or a month: decided when a photo is admitted."""
