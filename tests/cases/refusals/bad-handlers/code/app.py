from helpers import main
