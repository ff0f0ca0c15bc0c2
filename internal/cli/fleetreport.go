package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/valkeyfs/valkeyfs/internal/fleet"
	"github.com/valkeyfs/valkeyfs/internal/report"
	"github.com/valkeyfs/valkeyfs/scan"
)

func newFleetReportCmd(a *app) *cobra.Command {
	db := newFleetFlags(a)
	var sel fleet.Selection
	var format choice
	var partition string
	var secrets bool
	cmd := &cobra.Command{
		Use:   "report",
		Short: "Report what was found over all inputs",
		Long: `Report what was found over all inputs. --secrets lists each secret once, those
in the most inputs first, with the number of places, inputs, instances and
owners; jsonl and csv list each finding, in the order of the inputs' paths.
`,
		Annotations: finds("findings"),
		Example: `  valkeyfs fleet report --format html -o fleet.html
  valkeyfs fleet report --secrets --new
  valkeyfs fleet report --owner payments --format jsonl -o payments.jsonl`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if secrets && format.word != "text" && format.word != "jsonl" {
				return usagef("--secrets: text and jsonl have a place for it, %s has not", format.word)
			}
			if partition != "" && format.word != "parquet" {
				return usagef("--partition: parquet has a place for it, %s has not", format.word)
			}
			d, err := db.openThere(cmd)
			if err != nil {
				return err
			}
			defer d.Close()
			if partition != "" || secrets {
				p, err := d.Covered(cmd.Context(), sel)
				if err != nil {
					return err
				}
				var found bool
				if secrets {
					found, err = a.writeSecrets(cmd, d, sel, format.word)
				} else {
					found, err = a.writePartitions(cmd.Context(), d, sel, partition)
				}
				if err != nil {
					return err
				}
				if why := p.Incomplete(); why != "" {
					a.stderr.printf("incomplete: %s", why)
				}
				return exit(status(found, p.Incomplete() != ""))
			}
			out, err := a.output()
			if err != nil {
				return err
			}
			defer out.discard()
			findings, incomplete, err := a.writeFleet(cmd, d, sel, format.word, out)
			if err != nil {
				return err
			}
			if err := out.commit(); err != nil {
				return err
			}
			return exit(status(findings, incomplete))
		},
	}
	f := cmd.Flags()
	db.flags(f, sealKey)
	format.flag(f, "text", "jsonl", "sarif", "html", "csv", "parquet")
	f.BoolVar(&secrets, "secrets", false, "text, jsonl: list each secret once")
	f.StringVar(&partition, "partition", "", "parquet: make `DIR`, with a file for each owner, instance and date")
	f.BoolVar(&sel.New, "new", false, "report only secrets that the last submission brought")
	f.BoolVar(&sel.Gone, "gone", false, "report inputs too that are gone from where they were submitted")
	f.StringVar(&sel.Owner, "owner", "", "report only inputs tagged with this `OWNER`")
	f.StringVar(&sel.Instance, "instance", "", "report only inputs of this `INSTANCE`")
	return cmd
}

func (a *app) writeSecrets(cmd *cobra.Command, d *fleet.DB, sel fleet.Selection, format string) (found bool, err error) {
	out, err := a.output()
	if err != nil {
		return false, err
	}
	defer out.discard()
	lines := report.NewLines(out)
	err = d.Secrets(cmd.Context(), sel, func(s *fleet.Secret) error {
		found = true
		if format == "jsonl" {
			return lines.Line(s)
		}
		mark := ""
		if s.New {
			mark = " new"
		}
		_, err := fmt.Fprintf(out, "%-8s %s %s: %d places in %d inputs, %d instances, %d owners%s\n", s.Severity, safe(s.Rule), safe(s.Secret), s.Findings, s.Inputs, s.Instances, s.Owners, mark)
		return err
	})
	if err != nil {
		return false, err
	}
	return found, out.commit()
}

func (a *app) writeFleet(cmd *cobra.Command, d *fleet.DB, sel fleet.Selection, format string, out *output) (found, incomplete bool, err error) {
	scanner, err := scan.New(scan.Config{Workers: 1})
	if err != nil {
		return false, false, err
	}
	rules := scanner.Rules()
	next := map[string]string{}
	for _, r := range rules {
		next[r.ID] = r.Next
	}
	var w report.Writer
	switch format {
	case "jsonl":
		w = report.NewJSONL(out)
	case "csv":
		w = report.NewCSV(out)
	case "parquet":
		w = report.NewParquet(out)
	case "sarif":
		w = report.NewSARIF(out, report.SARIFOptions{Rules: rules})
	case "html":
		w = report.NewHTML(out, report.HTMLOptions{Rules: rules})
	default:
		w = report.NewText(out, report.TextOptions{Color: a.global.color(out.terminal), Width: columns(out.terminal)})
	}
	run := &report.Run{Tool: "valkeyfs", Version: version(), Verb: "fleet report", Inputs: []string{}, Rules: len(rules)}
	sum, err := d.Report(cmd.Context(), sel, run, w, func(rule string) string { return next[rule] })
	if err != nil {
		return false, false, err
	}
	return sum.Findings > 0, !sum.Complete, nil
}
