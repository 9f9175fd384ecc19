"""`moto_server`, which imports the key that all its user pools share once, instead of once a pool: that takes it most of its time."""

import functools
import sys

from moto.cognitoidp.models import jwk
from moto.server import main

jwk.RSAKey.import_key = functools.lru_cache(jwk.RSAKey.import_key)
sys.exit(main())
