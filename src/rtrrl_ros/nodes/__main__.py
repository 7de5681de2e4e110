"""`python -m rtrrl_ros.nodes NAME`: run one node.

While its libraries load, SIGINT ends the process at once, without a traceback. The launch runner
starts it with SIGINT blocked, because Python's own start would answer with one too.
"""

import importlib
import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
importlib.import_module(f'.{sys.argv.pop(1)}', __package__).main()
