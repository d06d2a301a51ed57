"""Attenuation of X-rays in slices of CT, in Hounsfield units."""
