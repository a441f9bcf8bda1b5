#!/usr/bin/env bash
# Starts the controller of a test's Slurm again, after it was stopped by its process number.
#   scripts/slurm/controller.sh <folder>
set -euo pipefail
export SLURM_CONF="$1/slurm.conf"
slurmctld
