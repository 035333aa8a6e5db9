//! Who is matched with whom at the least cost: the Hungarian method.

/// What costs this much or more is never chosen.
pub const NEVER: f64 = 1e6;

/// For each row the column it is given, so that the sum of costs is least, where a row may also go without a column for
/// `alone`. `costs[row][column]`; [`NEVER`] or anything not finite forbids a pair.
///
/// Kuhn 1955 in the shortest augmenting path form with potentials (Jonker and Volgenant 1987), O(rows² columns).
pub fn assign(costs: &[Vec<f64>], columns: usize, alone: f64) -> Vec<Option<usize>> {
    let rows = costs.len();
    // Each row has a column of its own for going alone, so a solution exists whatever is forbidden.
    let width = columns + rows;
    let cost = |row: usize, column: usize| {
        if column >= columns {
            return if column - columns == row { alone } else { NEVER };
        }
        match costs[row].get(column) {
            Some(cost) if cost.is_finite() => cost.min(NEVER),
            _ => NEVER,
        }
    };
    // Index 0 stands for "none" in rows and columns; real ones count from 1.
    let mut row_potential = vec![0.0; rows + 1];
    let mut column_potential = vec![0.0; width + 1];
    let mut row_of = vec![0_usize; width + 1];
    for row in 1..=rows {
        row_of[0] = row;
        let mut column = 0;
        let mut slack = vec![f64::INFINITY; width + 1];
        let mut came_from = vec![0_usize; width + 1];
        let mut reached = vec![false; width + 1];
        while row_of[column] != 0 {
            reached[column] = true;
            let here = row_of[column];
            let (mut least, mut next) = (f64::INFINITY, 0);
            for other in 1..=width {
                if reached[other] {
                    continue;
                }
                let reduced = cost(here - 1, other - 1) - row_potential[here] - column_potential[other];
                if reduced < slack[other] {
                    slack[other] = reduced;
                    came_from[other] = column;
                }
                if slack[other] < least {
                    least = slack[other];
                    next = other;
                }
            }
            for other in 0..=width {
                if reached[other] {
                    row_potential[row_of[other]] += least;
                    column_potential[other] -= least;
                } else {
                    slack[other] -= least;
                }
            }
            column = next;
        }
        while column != 0 {
            row_of[column] = row_of[came_from[column]];
            column = came_from[column];
        }
    }
    let mut chosen = vec![None; rows];
    for (column, row) in row_of[1..=columns].iter().enumerate() {
        if let Some(row) = row.checked_sub(1)
            && cost(row, column) < NEVER
        {
            chosen[row] = Some(column);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::testing::Noise;

    fn total(costs: &[Vec<f64>], chosen: &[Option<usize>], alone: f64) -> f64 {
        chosen.iter().enumerate().map(|(row, column)| column.map_or(alone, |column| costs[row][column])).sum()
    }

    /// The least sum, by trying everything.
    fn least(costs: &[Vec<f64>], alone: f64, taken: &mut Vec<bool>) -> f64 {
        let Some((row, rest)) = costs.split_first() else { return 0.0 };
        let mut best = alone + least(rest, alone, taken);
        for column in 0..taken.len() {
            if !taken[column] && row[column] < NEVER {
                taken[column] = true;
                best = best.min(row[column] + least(rest, alone, taken));
                taken[column] = false;
            }
        }
        best
    }

    #[test]
    fn it_is_as_good_as_trying_everything() {
        let mut noise = Noise::new(11);
        for round in 0..300 {
            let (rows, columns) = (round % 6, (round / 6) % 6);
            let costs: Vec<Vec<f64>> = (0..rows)
                .map(|_| {
                    let mut one = || f64::from(noise.uniform());
                    (0..columns).map(|_| if one() < 0.2 { NEVER } else { 2.0 * one() }).collect()
                })
                .collect();
            let chosen = assign(&costs, columns, 1.0);
            let mut used: Vec<usize> = chosen.iter().flatten().copied().collect();
            used.sort_unstable();
            used.dedup();
            assert_eq!(used.len(), chosen.iter().flatten().count(), "a column was given twice");
            let best = least(&costs, 1.0, &mut vec![false; columns]);
            assert!((total(&costs, &chosen, 1.0) - best).abs() < 1e-9, "{costs:?} -> {chosen:?}, best {best}");
        }
    }

    #[test]
    fn the_greedy_choice_is_not_taken_where_it_costs_more() {
        let costs = vec![vec![0.1, 0.2], vec![0.15, 0.9]];
        assert_eq!(assign(&costs, 2, 1.0), [Some(1), Some(0)]);
    }

    #[test]
    fn forbidden_and_broken_costs_are_never_chosen() {
        let costs = vec![vec![NEVER, f64::NAN], vec![f64::INFINITY, 5.0]];
        assert_eq!(assign(&costs, 2, 1.0), [None, None]);
        assert_eq!(assign(&[vec![], vec![]], 0, 1.0), [None, None]);
        assert_eq!(assign(&[], 3, 1.0), []);
    }
}
