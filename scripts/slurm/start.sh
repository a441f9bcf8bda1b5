#!/usr/bin/env bash
# Starts a Slurm of one node for tests, in a folder of its own, on loopback alone. Needs root, and
# Debian's slurm-wlm and munge.
#   scripts/slurm/start.sh <empty folder> [port] [cpus]
# Afterwards SLURM_CONF=<folder>/slurm.conf makes sbatch, squeue, scancel and scontrol talk to it;
# scripts/slurm/stop.sh <folder> ends it. Process numbers and logs are in the folder.
set -euo pipefail
folder=$(realpath "$1")
port=${2:-16817}
cpus=${3:-2}
mkdir -p "$folder"/{state,spool,log,munge}
key="$folder/munge/munge.key"
socket="$folder/munge/munge.socket"

# A munge of its own: key, socket and logs in the folder. It asks that nobody else can write there.
chown -R munge:munge "$folder/munge"
chmod 0711 "$folder" && chmod 0755 "$folder/munge"
head -c 1024 /dev/urandom >"$key"
chown munge:munge "$key" && chmod 0400 "$key"
runuser -u munge -- /usr/sbin/munged --force --key-file="$key" --socket="$socket" \
  --log-file="$folder/munge/munged.log" --pid-file="$folder/munge/munged.pid" \
  --seed-file="$folder/munge/munged.seed"

cat >"$folder/slurm.conf" <<CONF
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$socket
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SchedulerParameters=sched_interval=1,batch_sched_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
KillWait=5
MinJobAge=30
DefMemPerCPU=1000
JobAcctGatherType=jobacct_gather/linux
AccountingStorageType=accounting_storage/none
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
NodeName=localhost NodeAddr=127.0.0.1 NodeHostname=localhost CPUs=$cpus RealMemory=8000
PartitionName=main Nodes=localhost Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF="$folder/slurm.conf"
"$(dirname "$0")/controller.sh" "$folder"
slurmd -N localhost
for _ in $(seq 100); do
  [ "$(sinfo -h -o %t 2>/dev/null)" = idle ] && exit 0
  sleep 0.2
done
echo "error: $folder: expected an idle node within 20 s, got $(sinfo -h -o %t 2>&1) (see $folder/log)" >&2
exit 1
