#!/usr/bin/env bash
# Ends the Slurm that start.sh began: its jobs, then its three daemons, by their process numbers.
#   scripts/slurm/stop.sh <folder>
set -u
folder=$(realpath "$1")
export SLURM_CONF="$folder/slurm.conf"
timeout 10 scancel --signal=KILL --full --me 2>/dev/null
timeout 10 scancel --me 2>/dev/null
for _ in $(seq 50); do
  [ -z "$(timeout 5 squeue -h 2>/dev/null)" ] && break
  sleep 0.2
done
for file in slurmd.pid slurmctld.pid munge/munged.pid; do
  pid=$(cat "$folder/$file" 2>/dev/null) || continue
  kill "$pid" 2>/dev/null
  # A number that has ended may be another process's by now.
  for _ in $(seq 50); do kill -0 "$pid" 2>/dev/null || continue 2; sleep 0.1; done
  kill -9 "$pid" 2>/dev/null
done
exit 0
