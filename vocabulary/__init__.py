"""Words all services share: places, bodies, matters, working days, roles. Pure; it reads no clock and no network."""
