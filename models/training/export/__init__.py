"""From a trained network to the files that engines read, each checked against Keras.

``export`` does all of it, ``conversion`` makes the files, ``gptq`` rounds weights to 8 bits.
"""
