# SPDX-License-Identifier: MIT
#
# Runs a configuration file of xm that is a Python program; python.c builds it in and starts it, confined. Takes {name, text, vars} from
# standard input; answers {vars: [[key, value, line, column, used]...]}, {syntax: [line, column, sentence]} or {error: ...}. Variables of
# the command line are numbers that also join texts. xm_vars is what xm offered its files.
import sys, json, ast
job = json.load(sys.stdin)
out, sys.stdout = sys.stdout, sys.stderr
name, text = job['name'], job['text']
class Number(int):
    def __radd__(self, other):
        return other + (str(self) if isinstance(other, str) else int(self))
class Vars:
    def __init__(self):
        self.known = []
    def var(self, name, fn=None, default=None, env=None, use='', check=None):
        self.known.append((name, fn, default, use, check))
    def check(self):
        for name, fn, default, use, check in self.known:
            value = space.get(name, default)
            if value is None:
                raise ValueError('variable %s is not set: %s' % (name, use))
            try:
                value = fn(value) if fn else value
                space[name] = check(name, value) if check else value
            except Exception:
                raise ValueError('variable %s cannot be %r: %s' % (name, value, use))
    def help(self):
        pass
space = dict(__name__='__main__', xm_vars=Vars(), xm_file=name, xm_help=0)
ours = set(space)
for key, value in job['vars'].items():
    plain = isinstance(value, str) and value.isdigit()
    space[key] = Number(value) if plain and str(int(value)) == value else value
def data(value):
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (str, int, float)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [data(v) for v in value]
    raise TypeError('a variable cannot be of type ' + type(value).__name__)
def run():
    tree = ast.parse(text, name)
    place, used, found = {}, set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            used.add(node.id)
        elif isinstance(node, ast.Name):
            place[node.id] = [node.lineno, node.col_offset + 1]
    exec(compile(tree, name, 'exec'), space)
    for key, value in space.items():
        if key[0] == '_' or key in ours or callable(value) or value is None:
            continue
        if isinstance(value, type(sys)):
            continue
        line, column = place.get(key, [0, 0])
        try:
            found.append([key, data(value), line, column, key in used])
        except TypeError as e:
            if key not in used:
                return {'error': [line, column, "'%s': %s" % (key, e)]}
    return {'vars': found}
try:
    answer = run()
except SyntaxError as e:
    answer = {'syntax': [e.lineno or 0, e.offset or 0, str(e.msg)]}
except BaseException as e:
    line, tb = 0, e.__traceback__
    while tb:
        if tb.tb_frame.f_code.co_filename == name:
            line = tb.tb_lineno
        tb = tb.tb_next
    answer = {'error': [line, 0, (type(e).__name__ + ': ' + str(e)).rstrip(': ')]}
json.dump(answer, out)
out.flush()
