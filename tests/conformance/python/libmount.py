# What crun's tests use of libmount's binding, which Debian does not have: a table of mounts, as /proc/self/mountinfo has it.
import re


class Mount:
    def __init__(self, line):
        head, _, tail = line.partition(" - ")
        head, tail = head.split(), tail.split(" ")
        self.target = re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), head[4])
        self.vfs_options, self.fs_options = head[5], tail[2].strip()


class Table:
    def __init__(self, path):
        with open(path) as lines:
            self.mounts = [Mount(line) for line in lines if " - " in line]

    # The last one of a directory is what a program sees.
    def find_target(self, target):
        return next((m for m in reversed(self.mounts) if m.target == target), None)
