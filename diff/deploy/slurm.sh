#!/bin/bash
# A campaign of x86emu diff as a Slurm array: each task does one shard and writes
# its summary to a shared folder; a job behind it merges them.
#
#   CGO_ENABLED=0 go build -o x86emu ./cmd/x86emu    # into a folder of PATH on all nodes
#   job=$(sbatch --parsable slurm.sh)
#   sbatch --dependency=afterany:$job --wrap 'x86emu diff merge out/*.json'
#
# The array and SHARDS must fit. A task fails only if it could not compare;
# differences are for merge to tell.
#SBATCH --job-name=x86emu-diff
#SBATCH --array=0-15
#SBATCH --cpus-per-task=1
#SBATCH --mem=512M
#SBATCH --time=02:00:00
: "${GEN:=insn}" "${SEED:=1}" "${COUNT:=2000000}" "${SHARDS:=16}" "${OUT:=out}"
mkdir -p "$OUT"
x86emu diff --gen "$GEN" --seed "$SEED" --count "$COUNT" --shard "$SLURM_ARRAY_TASK_ID/$SHARDS" --out "$OUT/$SLURM_ARRAY_TASK_ID.json"
[ $? -le 1 ]
