"""What lies under the data directory: an ext4 of its own whose power can be cut, or a plain directory.

`EXT4_IOC_SHUTDOWN` stops a mounted file system at once. With NOLOGFLUSH not even the journal's running
transaction is written; what was never synced is gone, as when the power goes. The next mount replays the
journal. `man 2 ioctl_xfs_goingdown` describes the flags, which ext4 took over.
"""

import fcntl
import os
import random
import shutil
import struct
import subprocess
import sys
import time

#: _IOR('X', 125, __u32), as in the kernel's fs/ext4/ext4.h.
EXT4_IOC_SHUTDOWN = 0x8004587D
LOGFLUSH, NOLOGFLUSH = 1, 2


def run(*argv):
    done = subprocess.run(argv, capture_output=True, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(argv)}: {done.stderr.strip() or done.returncode}")


class PlainDirectory:
    """Good for kills: the page cache outlives them."""

    def __init__(self, place):
        self.directory = os.path.join(place, "data")
        os.makedirs(self.directory)

    def close(self):
        pass


class LoopDisk:
    """A file with an ext4 in it, mounted. The loop device goes with the mount."""

    def __init__(self, place, size_mib):
        self.image, self.mount_point = os.path.join(place, "image"), os.path.join(place, "mount")
        self.directory = os.path.join(self.mount_point, "data")
        self.filler = os.path.join(self.mount_point, "filler")
        os.makedirs(self.mount_point)
        with open(self.image, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size_mib << 20)
        run("mkfs.ext4", "-q", "-F", "-m", "0", self.image)
        self.mounted = False
        self.mount()

    def mount(self):
        run("mount", "-t", "ext4", "-o", "loop", self.image, self.mount_point)
        self.mounted = True

    def cut(self, flag=NOLOGFLUSH):
        place = os.open(self.mount_point, os.O_RDONLY)
        try:
            fcntl.ioctl(place, EXT4_IOC_SHUTDOWN, struct.pack("I", flag))
        finally:
            os.close(place)

    def unmount(self):
        """A process that was killed may hold its files for a moment longer."""
        deadline = time.monotonic() + 10
        while True:
            try:
                run("umount", self.mount_point)
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        self.mounted = False

    def stir(self, rng):
        """Lets some files reach the disk and others not, in any order, as a busy kernel would."""
        files = [os.path.join(at, name) for at, _, names in os.walk(self.directory) for name in names]
        for path in rng.sample(files, min(len(files), rng.randint(1, 40))):
            try:
                file = os.open(path, os.O_RDONLY)
            except FileNotFoundError:
                continue
            try:
                os.fdatasync(file)
            finally:
                os.close(file)

    def fill(self):
        """Takes all space that is left."""
        with open(self.filler, "wb") as file:
            left = os.statvfs(self.mount_point)
            step = left.f_bavail * left.f_frsize
            while step >= 4_096:
                try:
                    os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), step)
                except OSError:
                    step //= 2

    def free(self):
        os.unlink(self.filler)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.mount_point], capture_output=True)
        if os.path.exists(self.image):
            os.unlink(self.image)


def probe(place):
    """Mounts, cuts and mounts again; raises what is in the way."""
    shutil.rmtree(place, ignore_errors=True)
    os.makedirs(place)
    disk = LoopDisk(place, 16)
    try:
        disk.cut()
        disk.unmount()
        disk.mount()
    finally:
        disk.close()
        shutil.rmtree(place)


def make(place, size_mib):
    return LoopDisk(place, size_mib) if size_mib else PlainDirectory(place)


def seeded(*words):
    return random.Random(" ".join(map(str, words)))


if __name__ == "__main__":
    probe(sys.argv[1])
