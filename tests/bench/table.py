"""Rows of figures, and the table that they make. Used by tests/bench/run."""
import statistics


class Measured(float):
    """A median that knows the spread of its repetitions: (largest - smallest) / median."""

    spread = None

    @classmethod
    def of(cls, values):
        made = cls(statistics.median(values))
        if len(values) > 1 and made:
            made.spread = (max(values) - min(values)) / made
        return made


class Row:
    """What was measured: ours, what stands beside it, and a target for their ratio."""

    def __init__(self, number, what, ours, beside, rival, target, *, ratio=None, unit=''):
        self.number, self.what, self.unit = number, what, unit
        self.ours, self.beside, self.rival = ours, beside, rival
        self.ratio = ratio if ratio is not None else ours / beside if beside else None
        self.sense, bound = target.split() if target else ('', 0)
        self.bound = float(bound)
        self.spread = getattr(ours, 'spread', None)

    @property
    def reached(self):
        if not self.sense:
            return None
        value = self.ratio if self.ratio is not None else self.ours
        return value >= self.bound if self.sense == '>=' else value <= self.bound

    def cells(self):
        ratio = '' if self.ratio is None else f'{self.ratio:.3g}'
        beside = '' if self.beside is None else f'{figure(self.beside)} {self.unit}'
        ours = f'{figure(self.ours)} {self.unit}'.strip()
        if self.spread is not None:
            ours += f' (spread {self.spread:.0%})'
        return [str(self.number), self.what, ours,
                f'{self.rival}: {beside}'.strip(' :') if self.rival else '', ratio,
                f'{self.sense} {figure(self.bound)}' if self.sense else '',
                {True: 'yes', False: 'no', None: ''}[self.reached]]


def figure(value):
    if value >= 10_000:
        return f'{value / 1000:,.4g} k'
    return f'{value:,.3g}' if value < 100 else f'{value:,.0f}'


def table(rows):
    head = ['row', 'what', 'ours', 'beside it', 'ratio', 'target', 'reached']
    lines = ['| ' + ' | '.join(head) + ' |', '|' + '---|' * len(head)]
    return '\n'.join(lines + ['| ' + ' | '.join(row.cells()) + ' |' for row in rows])
