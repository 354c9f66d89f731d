#!/bin/sh
# The board behind the door, as a Raspberry Pi has it: a chip of 54 lines called pinctrl-bcm2711, lines called GPIO4 and
# so on. Then the network card, with the address that QEMU's gateway expects.
set -eu
modprobe gpio-sim
mountpoint -q /sys/kernel/config || mount -t configfs configfs /sys/kernel/config
board=/sys/kernel/config/gpio-sim/door
if [ ! -d "$board" ]; then
    mkdir -p "$board/bank0"
    echo 54 >"$board/bank0/num_lines"
    echo pinctrl-bcm2711 >"$board/bank0/label"
    line=0
    while [ $line -le 27 ]; do
        mkdir "$board/bank0/line$line"
        echo "GPIO$line" >"$board/bank0/line$line/name"
        line=$((line + 1))
    done
    echo 1 >"$board/live"
fi
# gpiozero asks the processor which Pi this is.
{ cat /proc/cpuinfo; printf 'Revision\t: c03114\nModel\t\t: Raspberry Pi 4 Model B Rev 1.4\n'; } >/run/cpuinfo
udevadm wait --timeout=60 /sys/class/net/eth0
ip link set lo up
ip address replace 10.0.2.15/24 dev eth0
ip link set eth0 up
