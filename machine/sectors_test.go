package machine

import (
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
)

// Copies of sectors, written to in any order, are what copies of a map would be.
func TestSectorsAreMaps(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	type pair struct {
		have sectors
		want map[uint64]sector
	}
	all := []pair{{want: map[uint64]sector{}}}
	for range 3000 {
		p := &all[rnd.IntN(len(all))]
		switch rnd.IntN(8) {
		case 0:
			if len(all) < 20 {
				all = append(all, pair{p.have.share(), maps.Clone(p.want)})
			}
		default:
			// Neighbours, and what is far away, up to the last sector of the largest disk.
			n, data := uint64(rnd.IntN(200))<<(4*rnd.IntN(6)), sector{uint8(rnd.Uint32())}
			p.have.put(n, &data)
			p.want[n] = data
		}
	}
	for _, p := range all {
		got, last := map[uint64]sector{}, -1
		for n, data := range p.have.all() {
			got[n] = *data
			assert.Greater(t, int(n), last)
			last = int(n)
		}
		assert.Equal(t, p.want, got)
		assert.EqualValues(t, len(got), p.have.n)
		for n, want := range p.want {
			assert.Equal(t, want, *p.have.get(n))
		}
		assert.Nil(t, p.have.get(MaxDisk/SectorSize-1))
		for _, o := range all {
			assert.Equal(t, maps.Equal(p.want, o.want), p.have.equal(o.have))
		}
	}
}

// A copy costs what changes after it.
func TestSectorsShare(t *testing.T) {
	var s sectors
	for n := range uint64(1000) {
		s.put(n, &sector{1})
	}
	before := s.share()
	assert.Zero(t, before.alone(s))
	s.put(500, &sector{2})
	way := uint64(sectorLevels + 1)
	assert.Equal(t, way*sectorNodeBytes, before.alone(s), "the nodes on the way, and the sector")
	s.put(500, &sector{3})
	s.put(501, &sector{3})
	assert.Equal(t, (way+1)*sectorNodeBytes, before.alone(s))
	assert.EqualValues(t, 1, before.get(500)[0])
	assert.EqualValues(t, 1000, before.n)
}
