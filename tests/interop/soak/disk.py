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


def fill_up(directory, filler):
    """Takes all space that is left there."""
    with open(filler, "wb") as file:
        left = os.statvfs(directory)
        step = left.f_bavail * left.f_frsize
        while step >= 4_096:
            try:
                os.posix_fallocate(file.fileno(), file.seek(0, os.SEEK_END), step)
            except OSError:
                step //= 2


class LoopDisk:
    """A file with an ext4 in it, mounted. The loop device goes with the mount."""

    MKFS = ()

    def __init__(self, place, size_mib):
        self.image, self.mount_point = self.medium(place, size_mib << 20), os.path.join(place, "mount")
        self.directory = os.path.join(self.mount_point, "data")
        self.filler = os.path.join(self.mount_point, "filler")
        os.makedirs(self.mount_point)
        run("mkfs.ext4", "-q", "-F", "-m", "0", *self.MKFS, self.image)
        self.mounted = False
        self.mount()

    def medium(self, place, size):
        """The file that is the disk."""
        image = os.path.join(place, "image")
        with open(image, "wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        return image

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
        fill_up(self.mount_point, self.filler)

    def free(self):
        os.unlink(self.filler)

    def keep(self, path):
        os.link(self.image, path)

    def close(self):
        if self.mounted:
            subprocess.run(["umount", "-l", self.mount_point], capture_output=True)
        if os.path.exists(self.image):
            os.unlink(self.image)


class FailingDisk(LoopDisk):
    """The same in memory that has no more room when it is to fail: what was written before can be written and read,
    every other block is an I/O error, and the kernel finds out when it writes back.

    The loop device calls a write that was done in part a success (Linux 6.18): it is given a page at a time.
    """

    MKFS = ("-b", "4096")

    def medium(self, place, size):
        self.memory = os.path.join(place, "memory")
        self.eater = os.path.join(self.memory, "eater")
        os.makedirs(self.memory)
        run("mount", "-t", "tmpfs", "-o", f"size={size + (16 << 20)}", "tmpfs", self.memory)
        image = os.path.join(self.memory, "image")
        with open(image, "wb") as file:
            file.truncate(size)
        return image

    def mount(self):
        super().mount()
        told = subprocess.run(["findmnt", "-n", "-o", "SOURCE", self.mount_point], capture_output=True, text=True)
        with open(f"/sys/block/{os.path.basename(told.stdout.strip())}/queue/max_sectors_kb", "w") as limit:
            limit.write("4")

    def fail(self):
        fill_up(self.memory, self.eater)

    def mend(self):
        os.unlink(self.eater)

    def takes_writes(self):
        """The file system gives up when its own journal is hit."""
        tried = os.path.join(self.mount_point, "tried")
        try:
            with open(tried, "wb") as file:
                os.fsync(file.fileno())
            os.unlink(tried)
        except OSError:
            return False
        return True

    def keep(self, path):
        run("cp", "--sparse=always", self.image, path)

    def close(self):
        super().close()
        subprocess.run(["umount", "-l", self.memory], capture_output=True)


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


def make(place, size_mib, fails=False):
    if fails:
        return FailingDisk(place, size_mib)
    return LoopDisk(place, size_mib) if size_mib else PlainDirectory(place)


def seeded(*words):
    return random.Random(" ".join(map(str, words)))


if __name__ == "__main__":
    probe(sys.argv[1])
