# xl mem-max sets the bound, below which the domain is not taken.
create g2 'memory = 96'
xl mem-max g2 128
xl list -l g2 | match '"max_memkb": 131072'
xl destroy g2
