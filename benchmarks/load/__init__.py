"""`python3 do.py load`: a real station under load, measured from outside: what is sent, and what its receiver gets."""
