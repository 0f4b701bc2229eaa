# xl pause stops a guest that counts, unpause lets it go on.
need_guest g1 'vcpus = 2'
xl pause g1
state_of g1 | match p
used=$(column g1 6)
sleep 1
same "CPU time while paused" "$used" "$(column g1 6)"
xl unpause g1
state_of g1 | grep p && fail 'still paused'
tell g1 'echo awake-$((1 + 1))'
says g1 'awake-2' 10
