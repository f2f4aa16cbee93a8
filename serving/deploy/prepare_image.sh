#!/bin/sh
# Run as root while the image is built (bentofile.yaml): a new named volume that is mounted here takes over the owner of
# the folder that it covers, else Docker makes it root's and the service, which has no rights, cannot write its spool.
set -eu
install -d -m 0700 -o 1034 -g 1034 /var/lib/yujing
