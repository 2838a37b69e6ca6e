"""For the tests of all packages."""

from hypothesis import settings

# A machine that is busy with something else is no fault of ours: pytest-timeout ends what hangs.
settings.register_profile("any machine", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("any machine")
