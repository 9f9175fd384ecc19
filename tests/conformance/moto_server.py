"""`moto_server`, which imports the key that all its user pools share once, instead of once a pool: that takes it most of its time."""

import functools
import json
import sys

from moto.cognitoidp.models import jwk
from moto.server import main

import_key = jwk.RSAKey.import_key


@functools.cache
def imported(key):
    return import_key(json.loads(key))


jwk.RSAKey.import_key = lambda key: imported(json.dumps(key))
sys.exit(main())
