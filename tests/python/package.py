"""Makes the package importable: its sources and the declarations of this build, side by side in a folder."""
import atexit
import os
import shutil
import sys
import tempfile

SOURCE = os.environ['AI8XSIM_SOURCE']
FOLDER = tempfile.mkdtemp()
atexit.register(shutil.rmtree, FOLDER)
shutil.copytree(os.path.join(SOURCE, 'python/ai8xsim'), os.path.join(FOLDER, 'ai8xsim'))
shutil.copy(os.environ['AI8XSIM_DECLARATIONS'], os.path.join(FOLDER, 'ai8xsim'))
sys.path.insert(0, FOLDER)
DIGITS = os.path.join(SOURCE, 'models/digits')
