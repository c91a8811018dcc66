"""Generated from proto/arkitect/v1 by `python generate.py`; see there."""
