"""How the models come to be: needs TensorFlow, unlike everything that serves them."""
