"""Who may do more than look: the device's own key, guesses at it, sessions of the page.

This room does not know sockets, pages, or what is behind the door.
"""
