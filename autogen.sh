#!/bin/sh
# Makes ./configure from configure.ac; needed once after a git clone.
cd "$(dirname "$0")" && mkdir -p build-aux && exec autoreconf --install --force
