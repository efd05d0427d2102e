package cpu
import ("testing";"fmt";"time")
func TestZZ(t *testing.T){
	x:=make([]float32,24<<20); for i:=range x {x[i]=1}
	d:=newDevice(1,&avx512Set)
	best:=time.Hour
	for range 8 { t0:=clock(d); for i:=0;i<len(x);i+=768*8 { avx512Set.sum(x[i:min(len(x),i+768*8)]) }; best=min(best,clock(d)-t0)}
	fmt.Println("read GB/s",float64(len(x)*4)/best.Seconds()/1e9)
	y:=x[:12<<20]; z:=x[12<<20:]
	best=time.Hour
	for range 8 { t0:=clock(d); for i:=0;i<len(y);i+=4096 { avx512Set.axpy(y[i:min(len(y),i+4096)],z[i:min(len(y),i+4096)],1e-9) }; best=min(best,clock(d)-t0)}
	fmt.Println("axpy GB/s",3*float64(len(y)*4)/best.Seconds()/1e9)
}
