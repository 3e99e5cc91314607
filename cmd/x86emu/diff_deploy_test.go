package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The command of each manifest, run here once for each shard, gives files that
// merge to what a single run says.
func TestDeployedShardsMergeToOneRun(t *testing.T) {
	const shards = 3
	campaign := []string{"diff", "--gen", "paging", "--seed", "5", "--count", "400"}
	status, single, errs := cli(t, "", campaign...)
	require.LessOrEqual(t, status, statusDiffers, errs)

	for _, m := range []struct{ file, index string }{
		{"kubernetes.yaml", "JOB_COMPLETION_INDEX"}, {"slurm.sh", "SLURM_ARRAY_TASK_ID"},
	} {
		t.Run(m.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("../../diff/deploy", m.file))
			require.NoError(t, err)
			command := regexp.MustCompile(`(?m)^\s*x86emu (diff .*)$`).FindStringSubmatch(string(text))
			require.NotNil(t, command)
			dir := t.TempDir()
			merge := []string{"diff", "merge"}
			for i := range shards {
				env := map[string]string{"GEN": "paging", "SEED": "5", "COUNT": "400", "SHARDS": fmt.Sprint(shards), "OUT": dir, m.index: fmt.Sprint(i)}
				var args []string
				for _, arg := range strings.Fields(command[1]) {
					args = append(args, os.Expand(strings.Trim(arg, `"`), func(name string) string {
						require.Contains(t, env, name)
						return env[name]
					}))
				}
				got, _, errs := cli(t, "", args...)
				require.LessOrEqual(t, got, statusDiffers, errs)
				merge = append(merge, args[len(args)-1])
			}
			got, merged, errs := cli(t, "", merge...)
			assert.Equal(t, status, got, errs)
			assert.Equal(t, head(single), head(strings.Replace(merged, " in 3 of 3 shards", "", 1)))

			got, _, errs = cli(t, "", merge[:4]...)
			assert.Equal(t, statusBadUsage, got)
			assert.Equal(t, "x86emu: 1 of 3 shards are missing\n", errs)
		})
	}
}

// head is the summary without the commands that ask again and what follows.
func head(out string) string {
	before, _, _ := strings.Cut(out, "again: ")
	return before
}
