"""What is made of texts, by rules of one's own or by a model: each text once, within a budget."""
