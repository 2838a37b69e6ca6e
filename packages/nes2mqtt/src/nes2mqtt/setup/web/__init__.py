"""The first run in the browser: a page of its own, which is gone when the gateway is set up.

:mod:`~nes2mqtt.setup.web.door` lets in who has the code, later who has the password; :mod:`~nes2mqtt.setup.web.app` answers the
page's questions; :mod:`~nes2mqtt.setup.web.server` opens the port and says where the page is.

This package does not know what the steps are about.
"""
